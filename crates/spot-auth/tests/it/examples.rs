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
async fn a_program_for_the_command_line() {
    cli::demo().await.unwrap();
}

#[tokio::test]
async fn a_machine_without_a_browser() {
    headless::demo().await.unwrap();
}

#[tokio::test]
async fn a_service() {
    service::demo().await.unwrap();
}

#[tokio::test]
async fn a_web_server() {
    web::demo().await.unwrap();
}
