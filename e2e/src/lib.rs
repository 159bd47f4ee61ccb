//! A real single-node Kubernetes, the tests that run on it, and the benchmark.
