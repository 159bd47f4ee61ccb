//! Input that breaks readers elsewhere: each is a problem with a code and a place.
