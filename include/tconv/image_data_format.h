// The data_format of layers that do not say theirs: a setting of the process, as keras.config.image_data_format().
#ifndef TCONV_IMAGE_DATA_FORMAT_H
#define TCONV_IMAGE_DATA_FORMAT_H

#include <string_view>

#include "tconv/layer_config.h"
#include "tconv/status.h"

namespace tconv {

// What was set, else what "image_data_format" says in Keras' configuration file when this is first asked
// ($KERAS_HOME/keras.json, else ~/.keras/keras.json), else channels_last. A file that cannot be understood is an error
// here and for each layer that needs it, until something is set. Thread-safe.
Result<DataFormat> image_data_format();

// "channels_last" or "channels_first", for layers made from now on. Thread-safe.
Status set_image_data_format(std::string_view data_format);

}  // namespace tconv

#endif
