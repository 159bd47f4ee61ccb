//! Against a real server on this machine, which the tenant's rules of these tests open.

mod answer;
mod reach;
mod redirect;
mod request;
mod status;
mod world;
