# Warnings are errors in tconv's own code. Linked to privately, never exported.
add_library(tconv_warnings INTERFACE)
target_compile_options(tconv_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Werror
    # g++ 12 warns of overlaps inside std::string that cannot happen (GCC bug 105651).
    "$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>")
