#include "Reports.h"

#include <tuple>

using namespace ds::rt;

void Reports::add(int64_t newSite, int64_t newIndex, int64_t v0, int64_t v1) {
  std::lock_guard<std::mutex> lock(mutex);
  if (any && std::tie(site, index) <= std::tie(newSite, newIndex))
    return;
  any = true;
  site = newSite;
  index = newIndex;
  values[0] = v0;
  values[1] = v1;
}

std::string Reports::text(const Entry &entry) const {
  if (site < 0 || size_t(site) >= entry.sites.size())
    return cat("error at site ", site, ", index ", index, ", values ",
               values[0], " and ", values[1]);
  const Site &where = entry.sites[size_t(site)];
  const std::pair<std::string_view, int64_t> fields[] = {
      {"{0}", values[0]}, {"{1}", values[1]}, {"{index}", index}};
  std::string out;
  if (!where.node.empty())
    out = cat("node '", where.node, "': ");
  std::string_view rest = where.what;
  while (!rest.empty()) {
    bool replaced = false;
    for (const auto &[field, value] : fields)
      if (rest.substr(0, field.size()) == field) {
        out += std::to_string(value);
        rest.remove_prefix(field.size());
        replaced = true;
        break;
      }
    if (replaced)
      continue;
    out += rest.front();
    rest.remove_prefix(1);
  }
  return out;
}
