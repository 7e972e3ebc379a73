//===- Json.h - Typed access to untrusted JSON ------------------*- C++ -*-===//
//
// nlohmann::json throws on a wrong type; these helpers return a Status that
// names the field instead. Include in .cpp files only: the header is heavy.
//
//===----------------------------------------------------------------------===//

#ifndef DS_RUNTIME_JSON_H
#define DS_RUNTIME_JSON_H

#include "ByteView.h"
#include "Status.h"
#include <nlohmann/json.hpp>

namespace ds::rt {

using Json = nlohmann::json;

inline Status malformed(std::string_view field, std::string_view expected) {
  return {DS_ERROR_ARTIFACT, "'", field, "' is missing or not ", expected};
}

inline Status parseJson(ByteView bytes, Json &json) {
  json = Json::parse(bytes.data(), bytes.data() + bytes.size(),
                     /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!json.is_object())
    return {DS_ERROR_ARTIFACT, "is not a JSON object"};
  return {};
}

/// The field, or null if it is missing or `parent` is no object.
inline const Json *findField(const Json &parent, const char *name) {
  if (!parent.is_object())
    return nullptr;
  auto it = parent.find(name);
  return it == parent.end() ? nullptr : &*it;
}

inline Status getString(const Json &parent, const char *name,
                        std::string &value) {
  const Json *field = findField(parent, name);
  if (!field || !field->is_string())
    return malformed(name, "a string");
  value = field->get_ref<const std::string &>();
  // Names go through the C interface, where they would end early.
  if (value.find('\0') != std::string::npos)
    return malformed(name, "a string without NUL characters");
  return {};
}

/// A number in [0, 2^63).
inline Status getSize(const Json &parent, const char *name, uint64_t &value) {
  const Json *field = findField(parent, name);
  if (!field || !field->is_number_unsigned() ||
      field->get<uint64_t>() > uint64_t(INT64_MAX))
    return malformed(name, "a number that is not negative");
  value = field->get<uint64_t>();
  return {};
}

inline Status getArray(const Json &parent, const char *name,
                       const Json *&value) {
  value = findField(parent, name);
  if (!value || !value->is_array())
    return malformed(name, "an array");
  return {};
}

inline Status getStrings(const Json &parent, const char *name,
                         std::vector<std::string> &values) {
  const Json *array;
  DS_TRY(getArray(parent, name, array));
  for (const Json &item : *array) {
    if (!item.is_string())
      return malformed(name, "an array of strings");
    values.push_back(item.get_ref<const std::string &>());
  }
  return {};
}

} // namespace ds::rt

#endif // DS_RUNTIME_JSON_H
