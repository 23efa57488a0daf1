# gr_embed(SYMBOL OUTPUT file...): the files' texts as a C table `struct gr_embedded SYMBOL[]`,
# ended by a row of nulls, so that the binary carries its endpoint declarations with it.
function(gr_embed symbol output)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DSYMBOL=${symbol} -DOUTPUT=${output} "-DFILES=${ARGN}"
            -P ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed_files.cmake
    COMMENT "Embedding ${symbol}"
    VERBATIM)
endfunction()
