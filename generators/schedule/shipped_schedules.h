// The text of shipped_schedules.txt, held inside the compiler.
#ifndef TCONV_GENERATORS_SHIPPED_SCHEDULES_H
#define TCONV_GENERATORS_SHIPPED_SCHEDULES_H

#include <string_view>

namespace tconv {

std::string_view shipped_schedules();

}  // namespace tconv

#endif
