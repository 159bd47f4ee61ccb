//! The driver's own rules; what workflows mean is shown by the tests of the language.
