/* The binary interface between a compiled model and whoever calls it.
 *
 * A compiled library exports `<model>_model()`, which returns the constant table below, and typed functions over it
 * (see the generated header). The table is plain data plus code addresses: nothing in it is allocated or changed.
 * Sizes are polynomials in the model's named dimensions, so one binary serves every batch size up to its bound.
 *
 * Units: sizes and strides in elements unless a name ends in `bytes`. All tensors that cross this interface are dense,
 * row-major and aligned to their element size. Strings are UTF-8, null-terminated and live as long as the library. */
#ifndef NACRE_ABI_H
#define NACRE_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NACRE_ABI_VERSION 2
#define NACRE_MAX_RANK 8
#define NACRE_MAX_DIMS 16
#define NACRE_MAX_GUARDS 8

typedef enum nacre_dtype {
  NACRE_F32 = 0,
  NACRE_I32 = 1,
  NACRE_F64 = 2, /* the remaining types occur in files only and are converted on reading */
  NACRE_I64 = 3,
  NACRE_F16 = 4,
  NACRE_BF16 = 5,
  NACRE_U8 = 6,
  NACRE_I8 = 7,
  NACRE_I16 = 8,
  NACRE_BOOL = 9
} nacre_dtype;

typedef enum nacre_status {
  NACRE_OK = 0,
  NACRE_ERR_SHAPE = 1,     /* a rank, a size or a bound does not fit */
  NACRE_ERR_VALUE = 2,     /* an input or a computed index is out of its range, or an argument makes no sense */
  NACRE_ERR_NAME = 3,      /* no function, parameter or tensor of that name */
  NACRE_ERR_MEMORY = 4,    /* the system refused memory or a thread */
  NACRE_ERR_FILE = 5,      /* a file cannot be opened, read, written or renamed */
  NACRE_ERR_FORMAT = 6,    /* a file is not what its name says: truncated, hostile or of another format */
  NACRE_ERR_DEVICE = 7,    /* this machine lacks a CPU level or a device that was asked for, or the device failed */
  NACRE_ERR_NONFINITE = 8, /* a training step met a non-finite loss; nothing was written */
  NACRE_ERR_ABI = 9        /* the library was made for another version of this interface */
} nacre_status;

/* Filled on failure when the caller passes one; `message` is one sentence, lower case, without a full stop. */
typedef struct nacre_error {
  nacre_status status;
  char message[512];
} nacre_error;

/* A dense row-major tensor that somebody else owns. */
typedef struct nacre_tensor {
  void *data;
  nacre_dtype dtype;
  int32_t rank;
  int64_t shape[NACRE_MAX_RANK];
} nacre_tensor;

/* coefficient * prod_i dims[i]^power[i] */
typedef struct nacre_term {
  int64_t coefficient;
  uint8_t power[NACRE_MAX_DIMS];
} nacre_term;

/* The sum of `count` terms; a count of 0 is the size 0. */
typedef struct nacre_size {
  const nacre_term *terms;
  int64_t count;
} nacre_size;

/* A named size that is bound anew at each call, 0 <= size <= bound. */
typedef struct nacre_dim {
  const char *name;
  int64_t bound;
} nacre_dim;

/* An input or an output of a function. */
typedef struct nacre_port {
  const char *name;
  const char *doc;            /* may be empty, never null */
  nacre_dtype dtype;          /* NACRE_F32 or NACRE_I32 */
  int32_t rank;
  const nacre_size *shape;    /* [rank] */
  int64_t value_bound;        /* i32 inputs: values must lie in [0, value_bound); 0 = any value */
  const int64_t *choices;     /* a run-time width: rank 0, i32, must be one of these; null otherwise */
  int64_t choice_count;
  int32_t choice_dim;         /* the dim that takes the chosen value; -1 = none */
  int32_t choice_index_dim;   /* the dim that takes the position of the choice in `choices`; -1 = none */
} nacre_port;

typedef enum nacre_role {
  NACRE_PARAM = 0,    /* trained; saved */
  NACRE_STATE = 1,    /* changed by its own rule only; saved */
  NACRE_OPTIMIZER = 2 /* moments and counters of the optimiser; saved in training checkpoints only */
} nacre_role;

typedef enum nacre_init_kind {
  NACRE_INIT_ZEROS = 0,
  NACRE_INIT_ONES = 1,
  NACRE_INIT_CONSTANT = 2,  /* a */
  NACRE_INIT_NORMAL = 3,    /* mean 0, standard deviation a */
  NACRE_INIT_UNIFORM = 4,   /* in [-a, a) */
  NACRE_INIT_KAIMING = 5,   /* normal, variance 2 / fan_in; fan_in = product of all axes but the last */
  NACRE_INIT_XAVIER = 6,    /* uniform in +-sqrt(6 / (fan_in + fan_out)) */
  NACRE_INIT_UNIT_ROWS = 7, /* normal, each row of the last axis scaled to length 1 */
  NACRE_INIT_TRANSPOSE = 8  /* the initial values of parameter number a, which has the two axes exchanged and is drawn itself */
} nacre_init_kind;

/* One tensor of the parameter block. */
typedef struct nacre_parameter {
  const char *name;   /* as in the model: "blocks.0.wq" */
  const char *source; /* its name in a published checkpoint, or null */
  nacre_dtype dtype;
  int32_t rank;
  int64_t shape[NACRE_MAX_RANK];
  int64_t offset_bytes;      /* in the parameter block, multiple of 64 */
  int32_t role;              /* nacre_role */
  int32_t source_transposed; /* 1: the checkpoint holds it with its two axes exchanged */
  int32_t init;              /* nacre_init_kind */
  double init_value;         /* the `a` above */
} nacre_parameter;

/* A value inside a function that was compiled with taps. */
typedef struct nacre_tap {
  const char *name;        /* as in the model: "blocks.3.mlp"; unique within its function */
  int32_t function;        /* position in `functions` */
  int32_t index;           /* among the taps of that function: how an intervention names it */
  nacre_dtype dtype;       /* NACRE_F32, or NACRE_I32 for values that can only be read */
  int32_t rank;
  const nacre_size *shape; /* [rank] */
} nacre_tap;

/* A dim that must not be smaller in calls of one function, for a slice or an index would leave its axis. */
typedef struct nacre_least {
  int32_t function; /* position in `functions` */
  int32_t dim;      /* position in `dims` */
  int64_t size;
} nacre_least;

typedef enum nacre_tap_action {
  NACRE_TAP_READ = 0,  /* copies the value out; the operand has its exact shape and type */
  NACRE_TAP_SET = 1,   /* x = operand; a single 0 ablates, another run's value patches */
  NACRE_TAP_ADD = 2,   /* x + operand */
  NACRE_TAP_SCALE = 3, /* x * operand */
  NACRE_TAP_CLAMP = 4, /* the operand is f32[2]: least and largest value, in this order */
  NACRE_TAP_MASK = 5   /* x where the operand is not 0, else 0 */
} nacre_tap_action;

/* What a call does at a tap, before anything that follows reads the value. Several at one tap act in the order of the list. */
typedef struct nacre_intervention {
  int32_t tap;       /* `index` of the function's tap */
  int32_t action;    /* nacre_tap_action */
  uint32_t picked;   /* bit a set: only the entries with index at[a] on axis a; 0: the whole value */
  uint32_t reserved; /* 0 */
  int64_t at[NACRE_MAX_RANK];
  /* Borrowed for the call. Of set, add, scale and mask: f32, broadcast by NumPy's rule to the value without its picked axes.
   * Of read: written. Must not overlap the call's inputs and outputs. */
  nacre_tensor operand;
} nacre_intervention;

struct nacre_workers;
struct nacre_tap_list;
struct nacre_device_call;

/* A kernel does tasks [begin, end) of a launch. `slots` holds pointers and 64-bit integers in the kernel's own order;
 * `scratch` belongs to the calling worker alone and holds at least the model's `scratch_bytes`. */
typedef void (*nacre_kernel)(int64_t begin, int64_t end, const int64_t *slots, char *scratch);

/* What a traced call did and when, in nanoseconds of the system's monotonic clock. */
typedef struct nacre_trace_event {
  int64_t launch;   /* its position among the launches of the function */
  uint64_t thread;  /* 0: the launch as a whole, as the caller saw it; else the thread that did this share of its tasks */
  int64_t tasks;
  int64_t begin_ns;
  int64_t end_ns;
} nacre_trace_event;

/* The caller's; a traced call appends to it. Events are in the order in which they ended. */
typedef struct nacre_trace {
  nacre_trace_event *events; /* [capacity] */
  int64_t capacity;
  int64_t count; /* of events that happened: those beyond the capacity are lost */
} nacre_trace;

/* What one call of a function works on. In a call that runs on a device the arena, the parameters and what `inputs` and `outputs` point
 * at are device memory, which the program only hands on to its kernels. */
typedef struct nacre_frame {
  const int64_t *dims; /* [dim_count] of the model */
  char *arena;
  char *parameters;
  void *const *inputs;
  void *const *outputs;
  const nacre_kernel *kernels; /* of the CPU level in use */
  struct nacre_workers *workers;
  const struct nacre_tap_list *taps; /* the call's interventions; null: none */
  int64_t worker_count; /* threads that share out the tasks of a launch */
  nacre_error *refusal; /* where a program says why it returns NACRE_ERR_VALUE */
  nacre_trace *trace; /* null: this call is not traced; read only by a library that was compiled with tracing */
  char *packed; /* weights packed for the CPU level in use; [packed_bytes] of the model */
  char *tables; /* device memory: the model's nacre_device_code::tables; null in a call on the CPU */
  struct nacre_device_call *device; /* the runtime's own; null in a call on the CPU */
} nacre_frame;

/* Runs all launches of a function in order; returns NACRE_OK, NACRE_ERR_NONFINITE, or NACRE_ERR_VALUE when a value that it
 * computed is outside its range: then the frame's refusal says which. */
typedef int32_t (*nacre_program)(const nacre_frame *frame);

typedef struct nacre_function {
  const char *name;
  const char *doc;
  int32_t input_count;
  int32_t output_count;
  const nacre_port *inputs;
  const nacre_port *outputs;
  nacre_size arena_bytes; /* at given dims */
  nacre_program program;
  int32_t writes_parameters; /* 1: a training step; needs exclusive use of the parameters */
  int32_t reads_packed;      /* 1: reads weights that the model's `pack` has packed */
} nacre_function;

typedef enum nacre_schedule_kind {
  NACRE_SCHEDULE_CONSTANT = 0,
  NACRE_SCHEDULE_LINEAR = 1, /* to 0 at the last step */
  NACRE_SCHEDULE_COSINE = 2  /* half a cosine to 0 at the last step */
} nacre_schedule_kind;

/* How the model wants to be trained; `function` is null when it has no train block. The step function takes the inputs of the
 * loss function and then two f32 scalars, the learning rate and the step number counted from 1; it returns the loss. */
typedef struct nacre_training {
  const char *function;  /* name of the step function in `functions` */
  const char *loss;      /* name of the loss function in `functions` */
  const char *metric;    /* name of a metric function, or null */
  double rate;           /* peak learning rate */
  int32_t schedule;      /* nacre_schedule_kind */
  int32_t warmup_steps;  /* linear from 0 */
  int64_t batch;
  int64_t epochs;        /* 0: use steps */
  int64_t steps;
} nacre_training;

typedef struct nacre_level {
  const char *name;             /* "v3", "v4" */
  const nacre_kernel *kernels;  /* [kernel_count] */
} nacre_level;

typedef enum nacre_image_kind {
  NACRE_IMAGE_PTX = 0,  /* text, null-terminated; the driver compiles it when it is loaded */
  NACRE_IMAGE_CUBIN = 1 /* machine code of one architecture */
} nacre_image_kind;

/* The device code of all kernels, for one kind of device. */
typedef struct nacre_device_image {
  int32_t major; /* compute capability: sm_90a has major 9, minor 0 */
  int32_t minor;
  int32_t exact; /* 1: devices of exactly that capability (architecture-specific code); 0: that one or a later one */
  int32_t kind;  /* nacre_image_kind */
  const void *data;
  int64_t bytes; /* with the null at the end of a text */
} nacre_device_image;

/* A kernel on the device: an entry of that name in every image, whose one by-value parameter is struct nacre_device_launch
 * (runtime/src/device_launch.h). Its workers share out the tasks of a launch: worker w of W does tasks w, w + W, ... */
typedef struct nacre_device_kernel {
  const char *name;
  int32_t slot_count;
  int32_t threads;       /* of a block */
  int32_t workers;       /* of a block: threads / 32 where a warp is a worker, 1 where a block is */
  int32_t shared_bytes;  /* of a block, dynamic */
  int64_t scratch_bytes; /* of a worker, in device memory */
} nacre_device_kernel;

/* What a kernel of a function checks; the refusal reads "<expects> <limit><unit>, but got <found>". */
typedef struct nacre_device_check {
  const char *expects;
  const char *unit;
  nacre_size limit;
} nacre_device_check;

/* A function as it runs on the device. Its program is host code that launches kernels and decides nothing by what they computed, so that
 * the order of its launches can be recorded once and replayed. */
typedef struct nacre_device_function {
  nacre_size arena_bytes; /* at given dims */
  nacre_program program;
  const nacre_device_check *checks;
  int32_t check_count;
} nacre_device_function;

typedef struct nacre_device_code {
  const nacre_device_image *images; /* best first */
  int32_t image_count;
  const nacre_device_kernel *kernels;
  int32_t kernel_count;
  const nacre_device_function *functions; /* [function_count] of the model */
  const int64_t *tables; /* constants that kernels read: nacre_frame::tables */
  int64_t table_count;
} nacre_device_code;

typedef struct nacre_api nacre_api;

typedef struct nacre_model {
  uint32_t abi_version;
  uint32_t tap_count; /* 0: compiled without taps; then `taps` may be missing, and so may the entries of `api` that take them */
  const char *name;
  const char *manifest; /* JSON, the same text as the .json file beside the library */
  const nacre_api *api; /* the runtime that is linked into this library */
  int64_t parameter_bytes;
  int64_t scratch_bytes; /* one worker's share */
  int32_t dim_count;
  int32_t parameter_count;
  int32_t function_count;
  int32_t kernel_count;
  int32_t level_count; /* ascending: the last one that the machine supports is used */
  int32_t least_count; /* 0 where `leasts` may be missing */
  const nacre_dim *dims;
  const nacre_parameter *parameters;
  const nacre_function *functions;
  const nacre_level *levels;
  const char *const *kernel_names;
  nacre_training training;
  const nacre_tap *taps; /* [tap_count] by function, then in the order of the function's text */
  const nacre_least *leasts; /* [least_count] */
  int64_t packed_bytes; /* of the weights once more, in the order in which kernels of one CPU level read them; 0: none */
  nacre_program pack;   /* fills the frame's `packed` from its `parameters`; null where packed_bytes is 0 */
  const nacre_device_code *device; /* null: compiled for the CPU alone */
} nacre_model;

#ifdef __cplusplus
}
#endif
#endif
