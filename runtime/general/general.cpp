#include "general/general.h"

#include "tconv_conv1d_transpose_channels_first.h"
#include "tconv_conv1d_transpose_channels_last.h"
#include "tconv_conv2d_transpose_channels_first.h"
#include "tconv_conv2d_transpose_channels_last.h"
#include "tconv_conv3d_transpose_channels_first.h"
#include "tconv_conv3d_transpose_channels_last.h"

namespace tconv {

std::span<const tconv_kernel> general_kernels(int rank, bool channels_last) {
  switch (rank) {
    case 1:
      if (channels_last) return tconv_conv1d_transpose_channels_last_kernels;
      return tconv_conv1d_transpose_channels_first_kernels;
    case 2:
      if (channels_last) return tconv_conv2d_transpose_channels_last_kernels;
      return tconv_conv2d_transpose_channels_first_kernels;
    case 3:
      if (channels_last) return tconv_conv3d_transpose_channels_last_kernels;
      return tconv_conv3d_transpose_channels_first_kernels;
    default: return {};
  }
}

}  // namespace tconv
