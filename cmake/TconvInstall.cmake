# cmake --install: headers, libraries, the compiler with its libHalide, the kernels, and find_package(tconv).
include(CMakePackageConfigHelpers)
set(package_directory "${CMAKE_INSTALL_LIBDIR}/cmake/tconv")

install(TARGETS tconv_config tconv_layer tconvc EXPORT tconvTargets)
install(IMPORTED_RUNTIME_ARTIFACTS Halide::Halide LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/tconv" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${halide_runtime_include}/HalideRuntime.h" "${halide_runtime_include}/HalideRuntimeCuda.h"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${CMAKE_BINARY_DIR}/general/" DESTINATION "${CMAKE_INSTALL_LIBDIR}/tconv/general")
install(EXPORT tconvTargets NAMESPACE tconv:: DESTINATION "${package_directory}")
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/tconvConfig.cmake.in" "${CMAKE_BINARY_DIR}/generated/tconvConfig.cmake"
    INSTALL_DESTINATION "${package_directory}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/generated/tconvConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${CMAKE_BINARY_DIR}/generated/tconvConfig.cmake"
    "${CMAKE_BINARY_DIR}/generated/tconvConfigVersion.cmake"
    "${PROJECT_SOURCE_DIR}/cmake/TconvHelpers.cmake"
    DESTINATION "${package_directory}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/NOTICE"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/tconv")

# `tconvc tune --cluster` starts the one; the other is for the user's pip.
install(PROGRAMS "${PROJECT_SOURCE_DIR}/generators/tune/cluster_run.py" DESTINATION share/tconv)
install(FILES "${PROJECT_SOURCE_DIR}/requirements-cluster.txt" DESTINATION share/tconv)
