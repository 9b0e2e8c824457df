# One call declares a layer: its sources, the layers it may call, the libraries it wraps. This is the
# only place where the dependency graph is written; a call upwards does not link.

add_library(vox_warnings INTERFACE)
target_compile_options(vox_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wvla -Wundef -Wcast-qual
    -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wdouble-promotion
    $<$<BOOL:${VOX_WERROR}>:-Werror>)

# vox_layer(NAME SOURCES file.c... [DEPS layer...] [LIBS target...] [POSIX])
#   DEPS   layers whose headers and functions it may use
#   LIBS   outside libraries, hidden from those above
#   POSIX  it talks to the operating system; the others see nothing but standard C
function(vox_layer name)
    cmake_parse_arguments(arg "POSIX" "" "SOURCES;DEPS;LIBS" ${ARGN})
    add_library(vox_${name} STATIC ${arg_SOURCES})
    target_include_directories(vox_${name} PUBLIC
        $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/common> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
    list(TRANSFORM arg_DEPS PREPEND vox_)
    target_link_libraries(vox_${name} PUBLIC ${arg_DEPS} PRIVATE ${arg_LIBS} vox_warnings m)
    if(arg_POSIX)
        target_compile_definitions(vox_${name} PRIVATE _GNU_SOURCE)
    endif()
    if(VOX_TESTS AND NOT CMAKE_C_FLAGS MATCHES "fsanitize")
        vox_layer_must_link(${name})
    endif()
endfunction()

# The whole layer as a shared object in which every symbol must resolve from its DEPS and LIBS.
function(vox_layer_must_link name)
    file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${name}_closed.c CONTENT "extern int vox_closed;\n")
    add_library(vox_${name}_closed SHARED ${CMAKE_CURRENT_BINARY_DIR}/${name}_closed.c)
    target_link_libraries(vox_${name}_closed PRIVATE
        -Wl,-z,defs -Wl,--whole-archive vox_${name} -Wl,--no-whole-archive)
endfunction()

# vox_program(NAME SOURCES file.c... DEPS layer... [LIBS target...])
function(vox_program name)
    cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LIBS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    list(TRANSFORM arg_DEPS PREPEND vox_)
    target_link_libraries(${name} PRIVATE ${arg_DEPS} ${arg_LIBS} vox_warnings m)
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE VOX_VERSION="${PROJECT_VERSION}")
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    install(TARGETS ${name})
endfunction()
