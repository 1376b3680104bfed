//! The data plane over real sockets: a gateway on free ports, an upstream written here, clients that speak raw HTTP.

mod balancers;
mod bodies;
mod certificates;
mod failures;
mod fields;
mod floods;
mod grpcs;
mod house;
mod lifetimes;
mod limits;
mod names;
mod plugins;
mod routes;
mod smuggling;
mod tls;
mod workers;
