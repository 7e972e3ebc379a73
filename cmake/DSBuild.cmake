# How the project's libraries and tools are compiled. Everything links the shared MLIR and LLVM: linking their
# static parts as well would register every dialect and option twice.

add_library(ds_compile_options INTERFACE)
target_compile_options(ds_compile_options INTERFACE -Wall -Wextra -Wno-unused-parameter -Werror)
if(DS_SANITIZE STREQUAL "address")
  # vptr needs RTTI, which LLVM is built without.
  target_compile_options(ds_compile_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize=vptr,function -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(ds_compile_options INTERFACE -fsanitize=address,undefined)
elseif(DS_SANITIZE STREQUAL "thread")
  target_compile_options(ds_compile_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(ds_compile_options INTERFACE -fsanitize=thread)
elseif(DS_SANITIZE)
  message(FATAL_ERROR "DS_SANITIZE is '${DS_SANITIZE}', expected address or thread")
endif()

add_library(ds_mlir_options INTERFACE)
target_link_libraries(ds_mlir_options INTERFACE ds_compile_options)
target_compile_options(ds_mlir_options INTERFACE -fno-rtti)
target_include_directories(ds_mlir_options INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
target_include_directories(ds_mlir_options SYSTEM INTERFACE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS} ${LLD_INCLUDE_DIRS})
separate_arguments(ds_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
target_compile_definitions(ds_mlir_options INTERFACE ${ds_llvm_definitions} DS_VERSION="${PROJECT_VERSION}")

# One precompiled header for all that includes MLIR: without it a file spends most of its time in headers.
file(WRITE ${PROJECT_BINARY_DIR}/ds_pch.cpp.tmp "")
configure_file(${PROJECT_BINARY_DIR}/ds_pch.cpp.tmp ${PROJECT_BINARY_DIR}/ds_pch.cpp COPYONLY)
add_library(ds_pch OBJECT ${PROJECT_BINARY_DIR}/ds_pch.cpp)
target_link_libraries(ds_pch PRIVATE ds_mlir_options)
target_precompile_headers(ds_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/Precompiled.h)

# ds_add_library(NAME sources... [LINK libs...] [DEPENDS tablegen-targets...])
function(ds_add_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ds_mlir_options ${ARG_LINK})
  target_precompile_headers(${name} REUSE_FROM ds_pch)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# ds_add_tool(NAME sources... [LINK libs...])
function(ds_add_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ds_mlir_options ${ARG_LINK} MLIR LLVM)
endfunction()

# ds_tablegen(TARGET td-file  flag output  flag output ...)
function(ds_tablegen target td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(args ${ARGN})
  while(args)
    list(POP_FRONT args flag output)
    separate_arguments(flags UNIX_COMMAND "${flag}")
    mlir_tablegen(${output} ${flags})
  endwhile()
  add_public_tablegen_target(${target})
endfunction()
