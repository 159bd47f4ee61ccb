//! The gardener: reconciles custom resources into Kubernetes objects and validates at admission.
