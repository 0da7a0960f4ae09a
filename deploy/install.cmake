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

set(header ${PROJECT_SOURCE_DIR}/include/ferry.h)
if(EXISTS ${header})
    install(FILES ${header} TYPE INCLUDE)
endif()

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
