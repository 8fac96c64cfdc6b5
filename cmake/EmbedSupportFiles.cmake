# Writes OUTPUT, a C++ file that holds the texts of SOURCES under NAMES, and of RUNNER, PROGRAM,
# PROCESSOR and SCHEDULES. Long texts are cut into several
# literals, which the compiler joins.
function(literal file result)
    file(READ "${file}" text)
    string(LENGTH "${text}" length)
    set(all "")
    set(at 0)
    while(at LESS length)
        string(SUBSTRING "${text}" ${at} 8000 part)
        string(APPEND all "R\"tconv_text(${part})tconv_text\"\n")
        math(EXPR at "${at} + 8000")
    endwhile()
    set(${result} "${all}" PARENT_SCOPE)
endfunction()

set(entries "")
foreach(name source IN ZIP_LISTS NAMES SOURCES)
    literal("${source}" text)
    set(cuda false)
    if(name MATCHES "[Cc]uda")
        set(cuda true)
    endif()
    string(APPEND entries "    {\"${name}\",\n${text}, ${cuda}},\n")
endforeach()
literal("${RUNNER}" runner)
literal("${PROGRAM}" program)
literal("${PROCESSOR}" processor)
literal("${SCHEDULES}" schedules)
file(WRITE "${OUTPUT}" "// Made by CMake from the headers that it holds.
#include \"emit/support_files.h\"
#include \"schedule/shipped_schedules.h\"

namespace tconv {

const std::vector<SupportFile> &support_files() {
  static const std::vector<SupportFile> files = {
${entries}  };
  return files;
}

std::string_view runner_source() {
  return
${runner};
}

std::string_view program_source() {
  return
${program};
}

std::string_view processor_source() {
  return
${processor};
}

std::string_view shipped_schedules() {
  return
${schedules};
}

}  // namespace tconv
")
