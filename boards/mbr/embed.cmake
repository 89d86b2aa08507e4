# Turns the binary IN into the C source OUT, an array NAME and its size.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1, " bytes "${hex}")
file(WRITE ${OUT} "#include \"${HEADER}\"\n
const unsigned char ${NAME}[] = {\n${bytes}};
const size_t ${NAME}_size = sizeof(${NAME});
")
