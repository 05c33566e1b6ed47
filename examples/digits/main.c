/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Calls the compiled digits model: loads trained weights, classifies sixteen test images at every width, draws two of them.
 * Needs the generated digits.h and the library beside it; nothing else of Nacre. */
#include "digits.h"
#include "test_images.h"

#include <stdio.h>

enum { PIXELS = 64, DRAWN = 2 };

static int failed(const char *doing, const nacre_error *error) {
  fprintf(stderr, "digits: %s: %s\n", doing, error->message);
  return 1;
}

static void draw(const unsigned char *image) {
  static const char shades[] = " .:-=+*#%@"; /* from paper to ink */
  for (int row = 0; row < 8; ++row) {
    printf("    ");
    for (int column = 0; column < 8; ++column) {
      char shade = shades[image[row * 8 + column] * 9 / 16];
      printf("%c%c", shade, shade);
    }
    printf("\n");
  }
}

/* predictions [TEST_IMAGE_COUNT] by the first `width` numbers of each encoding. */
static nacre_status predict(nacre_context *context, int32_t width, int32_t *predictions, nacre_error *error) {
  const nacre_model *model = digits_model();
  float images[TEST_IMAGE_COUNT][PIXELS];
  for (int i = 0; i < TEST_IMAGE_COUNT; ++i)
    for (int p = 0; p < PIXELS; ++p) images[i][p] = test_images[i][p] / 16.0f;
  nacre_tensor inputs[2] = {{images, NACRE_F32, 2, {TEST_IMAGE_COUNT, PIXELS}}, {&width, NACRE_I32, 0, {0}}};
  nacre_tensor output = {predictions, NACRE_I32, 1, {TEST_IMAGE_COUNT}};
  return model->api->call(context, model->api->function_index(model, "predict"), inputs, 2, &output, 1, error);
}

static int show(nacre_context *context) {
  static const int32_t widths[] = {64, 32, 16, 8, 4};
  enum { WIDTHS = sizeof widths / sizeof *widths };
  int32_t predictions[WIDTHS][TEST_IMAGE_COUNT];
  nacre_error error;
  for (int w = 0; w < WIDTHS; ++w) {
    if (predict(context, widths[w], predictions[w], &error) != NACRE_OK) return failed("predict", &error);
    int right = 0;
    for (int i = 0; i < TEST_IMAGE_COUNT; ++i) right += predictions[w][i] == test_labels[i];
    printf("  width %2d: %2d of %d images right\n", (int)widths[w], right, TEST_IMAGE_COUNT);
  }
  for (int i = 0; i < DRAWN; ++i) {
    printf("\n");
    draw(test_images[i]);
    printf("    written: %d   read at width 64: %d, at width 4: %d\n", test_labels[i], (int)predictions[0][i], (int)predictions[WIDTHS - 1][i]);
  }
  return 0;
}

int main(int count, char **arguments) {
  if (count != 2) {
    fprintf(stderr, "usage: %s WEIGHTS.safetensors\n", arguments[0]);
    return 2;
  }
  const nacre_model *model = digits_model();
  nacre_error error;
  nacre_parameters *parameters = model->api->parameters_create(model, &error);
  if (!parameters) return failed("parameters", &error);
  nacre_context *context = NULL;
  int result = 1;
  if (model->api->parameters_load(parameters, arguments[1], NACRE_LOAD_STRICT, &error) != NACRE_OK)
    failed("weights", &error);
  else if (!(context = model->api->context_create(model, parameters, NULL, &error)))
    failed("context", &error);
  else
    result = show(context);
  if (context) model->api->context_destroy(context);
  model->api->parameters_destroy(parameters);
  return result;
}
