//===- BufferizableOpInterfaceImpl.h - Bufferization of ds ops ---*- C++ -*-==//
//
// Part of the ds project, under the Apache License v2.0.
//
//===----------------------------------------------------------------------===//

#ifndef DS_DIALECT_DS_BUFFERIZABLEOPINTERFACEIMPL_H
#define DS_DIALECT_DS_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;

namespace ds {

/// Lets one-shot bufferization handle the ds ops of destination style.
void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry);

} // namespace ds
} // namespace mlir

#endif // DS_DIALECT_DS_BUFFERIZABLEOPINTERFACEIMPL_H
