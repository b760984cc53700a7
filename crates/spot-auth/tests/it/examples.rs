//! Runs the examples against the mock. The parts of the examples that need real credentials do not
//! run.

#[cfg(feature = "loopback")]
#[allow(dead_code)]
#[path = "../../examples/cli.rs"]
mod cli;
#[allow(dead_code)]
#[path = "../../examples/headless.rs"]
mod headless;
#[allow(dead_code)]
#[path = "../../examples/service.rs"]
mod service;
#[allow(dead_code)]
#[path = "../../examples/web.rs"]
mod web;

#[cfg(feature = "loopback")]
#[tokio::test]
async fn the_cli_example_runs() {
    cli::demo().await.unwrap();
}

#[tokio::test]
async fn the_headless_example_runs() {
    headless::demo().await.unwrap();
}

#[tokio::test]
async fn the_service_example_runs() {
    service::demo().await.unwrap();
}

#[tokio::test]
async fn the_web_example_runs() {
    web::demo().await.unwrap();
}
