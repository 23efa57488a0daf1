# Run by gr_embed at build time: SYMBOL, OUTPUT, FILES (a list).
set(rows "")
set(texts "")
set(n 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND texts "static const char text_${n}[] = {${bytes}0};\n")
  string(APPEND rows "    {\"${name}\", text_${n}, sizeof(text_${n}) - 1},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${OUTPUT}
  "/* Made by cmake/embed_files.cmake. */\n#include \"gr/spec/embedded.h\"\n\n${texts}\nconst struct gr_embedded ${SYMBOL}[] = {\n${rows}    {0, 0, 0},\n};\n")
