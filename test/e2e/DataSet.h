//===- DataSet.h - Inputs and expected outputs of a node test ---*- C++ -*-===//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_TEST_E2E_DATASET_H
#define DS_TEST_E2E_DATASET_H

#include "HostTensor.h"
#include "NodeTest.h"

namespace ds_test {

struct DataSet {
  std::vector<HostTensor> inputs, expected;
};

/// Reads the tensors in files input_0.pb, … and output_0.pb, … of `folder`;
/// `entry` tells which of them are bf16.
DataSet readDataSet(const std::string &folder, const ds_entry *entry);

/// Runs the module's first entry in this process and compares its outputs.
/// Those of half precision may differ `halfFactor` times as much as else.
Outcome runDataSet(ds_module *module, const DataSet &data, double halfFactor);

/// The same with the command `runWith`, which takes ds-run's arguments. Its
/// inputs and outputs are files whose names start with `prefix`.
Outcome runDataSetWith(const std::string &runWith, const std::string &artifact,
                       const DataSet &data, const std::string &prefix,
                       double halfFactor);

} // namespace ds_test

#endif // DS_TEST_E2E_DATASET_H
