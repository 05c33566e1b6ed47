# cmake --install: the tools, the interface's headers, a CMake package and a pkg-config file. The prefix may be moved afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
install(TARGETS nacre nacre-opt RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY runtime/include/nacre DESTINATION include)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/NacreConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/NacreConfig.cmake ${CMAKE_BINARY_DIR}/NacreConfigVersion.cmake DESTINATION lib/cmake/Nacre)
configure_file(cmake/nacre.pc.in ${CMAKE_BINARY_DIR}/nacre.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/nacre.pc DESTINATION lib/pkgconfig)
