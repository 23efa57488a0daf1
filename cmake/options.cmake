# Language level, warnings and hardening: one place, for every target.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

option(GR_WERROR "Warnings are errors" OFF)
option(GR_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(GR_COVERAGE "gcov instrumentation" OFF)

set(GR_WARNINGS
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wcast-qual
  -Wcast-align -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations
  -Wwrite-strings -Wundef -Wvla -Wnull-dereference -Wswitch-enum -Wimplicit-fallthrough)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND GR_WARNINGS -Wformat-signedness -Wduplicated-cond -Wduplicated-branches -Wlogical-op)
endif()
if(GR_WERROR)
  list(APPEND GR_WARNINGS -Werror)
endif()

# PUBLIC to whoever links, PRIVATE to the target: the same rules for library, binary and test.
function(gr_strict target)
  target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L)
  target_compile_options(${target} PRIVATE ${GR_WARNINGS} -fstack-protector-strong)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
    target_compile_options(${target} PRIVATE -fcf-protection)
  endif()
  if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT GR_SANITIZE)
    target_compile_options(${target} PRIVATE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  endif()
  target_link_options(${target} PRIVATE -Wl,-z,relro,-z,now,-z,noexecstack)
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(GR_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PRIVATE -fsanitize=address,undefined)
  endif()
  if(GR_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage -O0)
    target_link_options(${target} PRIVATE --coverage)
  endif()
endfunction()

# gr_layer(NAME LINKS lib...): src/NAME/*.c as the static library gr_NAME.
function(gr_layer name)
  cmake_parse_arguments(arg "" "" "LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.c)
  add_library(gr_${name} STATIC ${sources})
  target_include_directories(gr_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(gr_${name} PUBLIC ${arg_LINKS})
  target_compile_definitions(gr_${name} PRIVATE GR_VERSION="${PROJECT_VERSION}")
  gr_strict(gr_${name})
endfunction()
