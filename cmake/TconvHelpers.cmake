# add_conv_transpose_layer: a layer compiled at build time, as a library target.
#
#   add_conv_transpose_layer(up1
#       CONFIG up1.json
#       [EXACT] [SCHEDULES schedules.txt] [PROCESSOR any]
#       [KERNEL up1_kernel.npy] [BIAS up1_bias.npy]
#       [BATCHNORM up1_batchnorm.npy] [EPSILON 1e-5] [ACTIVATION relu]
#       TARGETS x86-64-linux-avx512_skylake x86-64-linux-avx2-fma-f16c x86-64-linux-sse41)
#
# Link to `up1` and include "up1.h". With KERNEL the weights are inside the library; without it the header exports
# up1_pack(). EXACT turns Winograd's method, Strassen's and bf16x3 off. SCHEDULES is what `tconvc tune` wrote, asked
# before what ships with tconv. PROCESSOR is whose caches and records decide between schedules: the building machine's
# by default, `any` where the library goes elsewhere. Relative paths are relative to the current source directory.
function(add_conv_transpose_layer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "EXACT" "CONFIG;SCHEDULES;PROCESSOR;KERNEL;BIAS;BATCHNORM;EPSILON;ACTIVATION"
        "TARGETS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "add_conv_transpose_layer(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_CONFIG OR NOT arg_TARGETS)
        message(FATAL_ERROR "add_conv_transpose_layer(${name}): CONFIG and TARGETS are required")
    endif()

    set(directory "${CMAKE_CURRENT_BINARY_DIR}/${name}.tconv")
    cmake_path(ABSOLUTE_PATH arg_CONFIG BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE config)
    set(command compile "${config}" --name ${name} -o "${directory}")
    set(depends "${config}")
    foreach(array IN ITEMS KERNEL BIAS BATCHNORM)
        if(arg_${array})
            cmake_path(ABSOLUTE_PATH arg_${array} BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE file)
            string(TOLOWER ${array} option)
            list(APPEND command --${option} "${file}")
            list(APPEND depends "${file}")
        endif()
    endforeach()
    if(arg_SCHEDULES)
        cmake_path(ABSOLUTE_PATH arg_SCHEDULES BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" OUTPUT_VARIABLE file)
        list(APPEND command --db "${file}")
        list(APPEND depends "${file}")
    endif()
    foreach(value IN ITEMS PROCESSOR EPSILON ACTIVATION)
        if(DEFINED arg_${value})
            string(TOLOWER ${value} option)
            list(APPEND command --${option} ${arg_${value}})
        endif()
    endforeach()
    if(arg_EXACT)
        list(APPEND command --exact)
    endif()
    foreach(target IN LISTS arg_TARGETS)
        list(APPEND command --target ${target})
    endforeach()

    list(GET arg_TARGETS 0 first_target)
    if(first_target MATCHES "windows")
        set(library "${directory}/${name}.lib")
    else()
        set(library "${directory}/lib${name}.a")
    endif()
    add_custom_command(
        OUTPUT "${library}" "${directory}/${name}.h"
        COMMAND tconv::tconvc ${command}
        DEPENDS tconv::tconvc ${depends}
        COMMENT "Compiling the layer ${name}"
        VERBATIM
    )
    add_custom_target(${name}_files DEPENDS "${library}" "${directory}/${name}.h")
    add_library(${name} INTERFACE)
    add_dependencies(${name} ${name}_files)
    target_sources(${name} INTERFACE "${directory}/${name}.h")
    target_include_directories(${name} SYSTEM INTERFACE "${directory}")
    find_package(Threads REQUIRED)
    target_link_libraries(${name} INTERFACE "${library}" Threads::Threads ${CMAKE_DL_LIBS} m)
endfunction()
