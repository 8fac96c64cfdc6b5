// What Keras' configuration file says of the data format. Private to runtime/.
#ifndef TCONV_RUNTIME_IMAGE_DATA_FORMAT_FILE_H
#define TCONV_RUNTIME_IMAGE_DATA_FORMAT_FILE_H

#include <filesystem>

#include "tconv/layer_config.h"

namespace tconv {

// channels_last where there is no file, or the file does not say; the messages name the path.
Result<DataFormat> read_image_data_format(const std::filesystem::path &path);

}  // namespace tconv

#endif
