# What `cmake --install` puts where, and the Debian package that CPack makes of it.
find_program(GZIP gzip REQUIRED)
set(examples ${CMAKE_INSTALL_DOCDIR}/examples)

# gr_gzip(FILE NAME): FILE, compressed without its time, as build/packaging/NAME.
set(compressed "")
function(gr_gzip file name)
  set(output ${CMAKE_BINARY_DIR}/packaging/${name})
  add_custom_command(OUTPUT ${output} COMMAND sh -c "'${GZIP}' -9nc '${CMAKE_SOURCE_DIR}/${file}' >'${output}'"
                     DEPENDS ${CMAKE_SOURCE_DIR}/${file} VERBATIM)
  set(compressed ${compressed} ${output} PARENT_SCOPE)
endfunction()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/packaging)
gr_gzip(packaging/man/gorgias-replicate.1 gorgias-replicate.1.gz)
gr_gzip(CHANGELOG.md changelog.gz)
add_custom_target(packaging ALL DEPENDS ${compressed})

# Debian's zsh looks for what packages bring in a folder of its own.
set(zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(zsh_folder ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
endif()

install(TARGETS gorgias-replicate RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${CMAKE_BINARY_DIR}/packaging/gorgias-replicate.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES packaging/completions/gorgias-replicate.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME gorgias-replicate)
install(FILES packaging/completions/_gorgias-replicate DESTINATION ${zsh_folder})
install(FILES packaging/completions/gorgias-replicate.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# Not in CMAKE_INSTALL_LIBDIR, which may be lib64: systemd looks into lib, below /usr and /usr/local.
install(DIRECTORY packaging/systemd/ DESTINATION lib/systemd/system)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN *.md)
install(FILES README.md ${CMAKE_BINARY_DIR}/packaging/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY replications packaging/cron packaging/kubernetes packaging/airflow DESTINATION ${examples} USE_SOURCE_PERMISSIONS)

set(GR_MAINTAINER "gorgias-replicate <root@localhost>" CACHE STRING "Maintainer of the Debian package")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "copies a Gorgias helpdesk account into PostgreSQL")
set(CPACK_PACKAGE_DESCRIPTION
    "One program, started at intervals: new and changed rows are merged, and rows, bookmark and queue commit in one transaction.\n"
    "Replication files have the shape that Sling has given them.")
string(CONCAT CPACK_PACKAGE_DESCRIPTION ${CPACK_PACKAGE_DESCRIPTION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${GR_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_DEPENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS postgresql-client)
include(CPack)
