/* What every compiled library can do: parameters, contexts, calls, training steps.
 *
 * The runtime is linked into each library with hidden symbols; the outside reaches it through `nacre_model::api` or through
 * the typed functions of the generated header. No function prints, exits, or allocates after the context is made, but for the
 * recordings that a context on a device makes of training steps.
 *
 * Weights are packed for the CPU level in use by the first call that reads them, and again by the first one after a change of the
 * parameters. The packed copy belongs to the parameters: contexts of one level share it.
 *
 * A library that was compiled for GPUs as well holds code for both. A context that runs on one keeps the parameters there: they go to the
 * device when the host has changed them, and come back when the host reads them (get, save, a call on the CPU). NACRE_ERR_DEVICE says
 * what the driver says; the process lives on.
 *
 * Threads: a `nacre_parameters` may be shared by any number of contexts that only read it. A context is used by one thread
 * at a time. A training step writes the parameters, so it needs them to itself. */
#ifndef NACRE_RUNTIME_H
#define NACRE_RUNTIME_H

#include "nacre/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct nacre_parameters nacre_parameters;
typedef struct nacre_context nacre_context;

/* Zero means the default everywhere. */
typedef struct nacre_options {
  int32_t threads;    /* workers, the caller included; default: the processors this process may use */
  const char *level;  /* a CPU level by name; default: NACRE_CPU from the environment, else the best supported */
  const int64_t *max_dims; /* [dim_count] largest sizes this context will see; default: the bounds */
  /* "cpu", "cuda" or "cuda:N"; default: NACRE_DEVICE from the environment, else "auto": a CUDA device when the library has code for one
   * that is there, else the CPU. With "cuda" a device that is missing or does not fit is NACRE_ERR_DEVICE. */
  const char *device;
} nacre_options;

/* What to do with a tensor that the file lacks or has in excess. */
typedef enum nacre_load_flags {
  NACRE_LOAD_STRICT = 0,       /* every parameter and state must be there, by its own name or its source name */
  NACRE_LOAD_OPTIMIZER = 1     /* the optimiser's tensors must be there as well: resume a training */
} nacre_load_flags;

typedef enum nacre_save_flags {
  NACRE_SAVE_MODEL = 0,
  NACRE_SAVE_OPTIMIZER = 1
} nacre_save_flags;

struct nacre_api {
  /* A zeroed parameter block; the caller destroys it after every context that uses it. Null on NACRE_ERR_MEMORY, NACRE_ERR_ABI. */
  nacre_parameters *(*parameters_create)(const nacre_model *model, nacre_error *error);
  /* Draws every parameter by its initialiser; the draw depends on (seed, position of the parameter, element) only. */
  nacre_status (*parameters_init)(nacre_parameters *parameters, uint64_t seed, nacre_error *error);
  /* Reads a safetensors file by name, then by source name. On failure nothing has changed. */
  nacre_status (*parameters_load)(nacre_parameters *parameters, const char *path, uint32_t flags, nacre_error *error);
  /* Writes a safetensors file: new file, sync, rename. On failure an old file of that name is untouched. NACRE_ERR_DEVICE as in get. */
  nacre_status (*parameters_save)(const nacre_parameters *parameters, const char *path, uint32_t flags, nacre_error *error);
  /* A view into the block; borrowed until `parameters_destroy`. Later calls see what is written through it before the next call; a view
   * that was kept over a call must be had again before it is written through, and over a call on a device also before it is read.
   * NACRE_ERR_NAME; NACRE_ERR_DEVICE, NACRE_ERR_MEMORY when newer values cannot be had from the device. */
  nacre_status (*parameters_get)(nacre_parameters *parameters, const char *name, nacre_tensor *view, nacre_error *error);
  /* Copies values in. NACRE_ERR_NAME, NACRE_ERR_SHAPE. */
  nacre_status (*parameters_set)(nacre_parameters *parameters, const char *name, const nacre_tensor *value, nacre_error *error);
  void (*parameters_destroy)(nacre_parameters *parameters);

  /* Borrows model and parameters. `options` may be null. Null on NACRE_ERR_MEMORY, NACRE_ERR_DEVICE, NACRE_ERR_ABI, NACRE_ERR_VALUE. */
  nacre_context *(*context_create)(const nacre_model *model, nacre_parameters *parameters, const nacre_options *options, nacre_error *error);
  void (*context_destroy)(nacre_context *context);
  /* Position of a function by name, or -1. */
  int32_t (*function_index)(const nacre_model *model, const char *name);
  /* Checks and runs one function. Inputs bind the dims; each output tensor must have the resulting shape, its data must not
   * overlap an input. Allocates nothing. NACRE_ERR_SHAPE, NACRE_ERR_VALUE, NACRE_ERR_NONFINITE, NACRE_ERR_NAME (index);
   * NACRE_ERR_DEVICE, NACRE_ERR_MEMORY on a device: then outputs and parameters are as they were. */
  nacre_status (*call)(nacre_context *context, int32_t function, const nacre_tensor *inputs, int32_t input_count,
                       nacre_tensor *outputs, int32_t output_count, nacre_error *error);
  /* As `call`, but trusts ranks and dims: `dims` is given, tensors are bare pointers. Values of i32 inputs are still checked.
   * This is what the typed functions of the generated header use. */
  nacre_status (*call_typed)(nacre_context *context, int32_t function, const int64_t *dims, void *const *inputs,
                             void *const *outputs, nacre_error *error);
  /* The learning rate of a step (counted from 1) out of `total` steps, by the model's schedule. */
  double (*training_rate)(const nacre_model *model, int64_t step, int64_t total);

  /* The entries below came later: they are there in libraries whose `tap_count` is not 0, and in all that this version compiles. */

  /* `nacre_tap::index` of a function's tap by name, or -1. */
  int32_t (*tap_index)(const nacre_model *model, int32_t function, const char *name);
  /* As `call`, with interventions at the function's taps. All are checked before anything runs; a list of 0 costs nothing.
   * As `call`, and NACRE_ERR_NAME (no such tap), NACRE_ERR_VALUE (action, type, data, picked index), NACRE_ERR_SHAPE (operand). */
  nacre_status (*call_tapped)(nacre_context *context, int32_t function, const nacre_tensor *inputs, int32_t input_count,
                              nacre_tensor *outputs, int32_t output_count, const nacre_intervention *interventions,
                              int32_t intervention_count, nacre_error *error);
  /* As `call_typed`, with interventions. */
  nacre_status (*call_typed_tapped)(nacre_context *context, int32_t function, const int64_t *dims, void *const *inputs,
                                    void *const *outputs, const nacre_intervention *interventions, int32_t intervention_count,
                                    nacre_error *error);

  /* Fills the parameters and states of an imported model, those named "<part>.*", from that model's own file: by the name without
   * the part, then by source name. The others stay. As `parameters_load`, and NACRE_ERR_NAME when there is no such part. */
  nacre_status (*parameters_load_part)(nacre_parameters *parameters, const char *part, const char *path, nacre_error *error);

  /* Has every later call of the context write its launches to `trace` (borrowed; null ends it). For libraries whose manifest says
   * "traced": in others a trace stays empty. */
  void (*context_trace)(nacre_context *context, nacre_trace *trace);

  /* Where the calls of a context run, and why not on a device when the library has code for one: "cuda:0 NVIDIA H200, sm_90",
   * "cpu v4: no CUDA driver (libcuda.so.1: cannot open shared object file: No such file or directory)". Lives as long as the context. */
  const char *(*context_device)(const nacre_context *context);
};

/* The one table; hidden in every library. */
extern const nacre_api nacre_runtime_api;

#ifdef __cplusplus
}
#endif
#endif
