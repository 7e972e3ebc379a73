# Builds the runtime for aarch64 Linux with Debian's cross compiler
# (scripts/cross-packages.txt) and the libraries that scripts/aarch64-sysroot
# fetches. Tests run under QEMU.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

get_filename_component(DS_SYSROOT
  ${CMAKE_CURRENT_LIST_DIR}/../../build/aarch64-sysroot ABSOLUTE)
set(CMAKE_FIND_ROOT_PATH ${DS_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Headers that depend on the machine, which a native compiler finds by itself.
set(CMAKE_C_STANDARD_INCLUDE_DIRECTORIES
  ${DS_SYSROOT}/usr/include/aarch64-linux-gnu)
set(CMAKE_CXX_STANDARD_INCLUDE_DIRECTORIES
  ${DS_SYSROOT}/usr/include/aarch64-linux-gnu)

# A CPU with every extension that QEMU knows; -L is where the C library is.
set(CMAKE_CROSSCOMPILING_EMULATOR
  qemu-aarch64 -cpu max -L /usr/aarch64-linux-gnu)
