#include "general/general.h"

#include "tconv_conv1d_transpose_channels_first.h"
#include "tconv_conv1d_transpose_channels_last.h"
#include "tconv_conv2d_transpose_channels_first.h"
#include "tconv_conv2d_transpose_channels_last.h"
#include "tconv_conv3d_transpose_channels_first.h"
#include "tconv_conv3d_transpose_channels_last.h"

namespace tconv {

const tconv_kernel *general_kernel(int rank, bool channels_last) {
  switch (rank) {
    case 1:
      return channels_last ? &tconv_conv1d_transpose_channels_last_kernel
                           : &tconv_conv1d_transpose_channels_first_kernel;
    case 2:
      return channels_last ? &tconv_conv2d_transpose_channels_last_kernel
                           : &tconv_conv2d_transpose_channels_first_kernel;
    case 3:
      return channels_last ? &tconv_conv3d_transpose_channels_last_kernel
                           : &tconv_conv3d_transpose_channels_first_kernel;
    default: return nullptr;
  }
}

}  // namespace tconv
