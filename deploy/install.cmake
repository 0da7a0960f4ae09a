# SPDX-License-Identifier: MPL-2.0
# What `cmake --install` puts where. With the presets' prefix /usr: the daemon in /usr/sbin, the tool in /usr/bin, the
# units in /usr/lib/systemd/system, and the configuration in /etc/ferrymq.
if(TARGET ferryd)
    install(TARGETS ferryd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
endif()
if(TARGET ferry)
    install(TARGETS ferry RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(FILES ${CMAKE_CURRENT_LIST_DIR}/completion/ferry
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()

# libferry: for its programs the library, for those who make them header, static library, pkg-config and examples.
install(TARGETS libferry LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_BINARY_DIR}/src/libferry.a DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${PROJECT_SOURCE_DIR}/include/ferry.h TYPE INCLUDE)
configure_file(${CMAKE_CURRENT_LIST_DIR}/ferry.pc.in ${PROJECT_BINARY_DIR}/deploy/ferry.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/deploy/ferry.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_SOURCE_DIR}/examples/echo.c ${PROJECT_SOURCE_DIR}/examples/deliver.c
    DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)

# ferryd.cfg(5) lists the options as the shipped file explains them.
set(configuration ${CMAKE_CURRENT_LIST_DIR}/config/ferryd.cfg)
set(page ${PROJECT_BINARY_DIR}/deploy/man/ferryd.cfg.5)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${configuration} ${CMAKE_CURRENT_LIST_DIR}/man/options.awk)
execute_process(COMMAND awk -f ${CMAKE_CURRENT_LIST_DIR}/man/options.awk ${configuration}
    OUTPUT_VARIABLE OPTIONS COMMAND_ERROR_IS_FATAL ANY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/man/ferryd.cfg.5.in ${page} @ONLY)
install(FILES ${configuration} DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/ferrymq)
install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)

# libferry(3) says what the header says; each function's page is a reference to it.
set(header ${PROJECT_SOURCE_DIR}/include/ferry.h)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header} ${CMAKE_CURRENT_LIST_DIR}/man/functions.awk)
foreach(part NAMES INTRODUCTION FUNCTIONS CONSTANTS)
    string(TOLOWER ${part} word)
    execute_process(COMMAND awk -v part=${word} -f ${CMAKE_CURRENT_LIST_DIR}/man/functions.awk ${header}
        OUTPUT_VARIABLE ${part} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
string(STRIP "${NAMES}" NAMES)
string(REPLACE "\n" ";" functions "${NAMES}")
string(REPLACE "\n" ", " NAMES "${NAMES}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/man/libferry.3.in ${PROJECT_BINARY_DIR}/deploy/man/libferry.3 @ONLY)
set(pages ${PROJECT_BINARY_DIR}/deploy/man/libferry.3)
foreach(function ${functions})
    file(WRITE ${PROJECT_BINARY_DIR}/deploy/man/${function}.3 ".so man3/libferry.3\n")
    list(APPEND pages ${PROJECT_BINARY_DIR}/deploy/man/${function}.3)
endforeach()
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)

foreach(section 1 8)
    file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/man/*.${section})
    install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

install(FILES ${CMAKE_CURRENT_LIST_DIR}/haproxy/haproxy.cfg DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The units name the daemon and its configuration by the paths that they are installed under.
set(units ${PROJECT_BINARY_DIR}/deploy/systemd)
foreach(service ferrymq-broker.service ferrymq-gateway@.service)
    configure_file(${CMAKE_CURRENT_LIST_DIR}/systemd/${service}.in ${units}/${service} @ONLY)
    install(FILES ${units}/${service} DESTINATION lib/systemd/system)
endforeach()
install(FILES ${CMAKE_CURRENT_LIST_DIR}/systemd/ferrymq-gateway@.socket DESTINATION lib/systemd/system)
install(DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/systemd/ferrymq-.service.d DESTINATION lib/systemd/system)
