// Boxes around the text in a probability map: what is done with the network's output, in plain C++.
#ifndef TEXT_BOXES_H
#define TEXT_BOXES_H

#include <vector>

struct Box {
  int left, top, right, bottom;  // in pixels; right and bottom are inside
};

// One box for each connected region (4 neighbours) whose probability exceeds `threshold`. Specks are dropped. `map` has
// height * width values, row by row.
std::vector<Box> find_text(const std::vector<float> &map, int height, int width, float threshold);

#endif
