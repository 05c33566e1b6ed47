# find_package(Nacre): the compiler, the runtime's headers, and nacre_add_model().
get_filename_component(NACRE_PREFIX "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET Nacre::headers)
  add_library(Nacre::headers INTERFACE IMPORTED)
  set_target_properties(Nacre::headers PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${NACRE_PREFIX}/include")
  add_executable(Nacre::nacre IMPORTED)
  set_target_properties(Nacre::nacre PROPERTIES IMPORTED_LOCATION "${NACRE_PREFIX}/bin/nacre")
endif()

# nacre_add_model(target file.nacre NAME name): compiles the model and gives its static library and header as `target`.
# NAME is the model's name in lower case, which names the files.
function(nacre_add_model target file)
  cmake_parse_arguments(ARG "" "NAME" "" ${ARGN})
  get_filename_component(source "${file}" ABSOLUTE)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}")
  file(MAKE_DIRECTORY "${out}")
  add_custom_command(OUTPUT "${out}/lib${ARG_NAME}.a" "${out}/${ARG_NAME}.h"
    COMMAND Nacre::nacre compile "${source}" -o "${out}/"
    DEPENDS "${source}" COMMENT "Compiling ${file}" VERBATIM)
  add_custom_target(${target}_files DEPENDS "${out}/lib${ARG_NAME}.a")
  add_library(${target} STATIC IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${out}/lib${ARG_NAME}.a" INTERFACE_INCLUDE_DIRECTORIES "${out}"
    INTERFACE_LINK_LIBRARIES "m;pthread")
  add_dependencies(${target} ${target}_files)
endfunction()
