# Finds LLVM and MLIR of the pinned major version and says clearly what to do when they are missing.
find_package(MLIR CONFIG QUIET
  HINTS /usr/lib/llvm-${NACRE_LLVM_MAJOR}/lib/cmake/mlir)
if(NOT MLIR_FOUND OR NOT LLVM_VERSION_MAJOR EQUAL NACRE_LLVM_MAJOR)
  message(FATAL_ERROR "Nacre needs LLVM and MLIR ${NACRE_LLVM_MAJOR}. Run `./x setup`, or pass -DMLIR_DIR=<prefix>/lib/cmake/mlir.")
endif()
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
message(STATUS "Nacre: LLVM ${LLVM_PACKAGE_VERSION}")
