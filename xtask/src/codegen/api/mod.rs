//! Generates the requests of `spot-api`: a type for each call, and the methods that create the
//! request.

mod build;
mod imports;
mod methods;
mod params;
mod request;
mod send;

use std::path::PathBuf;

use crate::{
    codegen::{
        api::{
            imports::imports,
            methods::{client_methods, methods_of},
            request::request,
        },
        camel, doc, file_doc, import, preamble,
    },
    spec::{Domain, Error, Spec},
};

pub(in crate::codegen) use imports::example_imports;

pub(in crate::codegen) fn files(spec: &Spec) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut files = Vec::new();
    let mut modules = String::new();
    let mut exports = String::new();
    for domain in &spec.domains {
        if domain.op.is_empty() && domain.handle.is_empty() {
            continue;
        }
        let name = &domain.name;
        modules.push_str(&format!("mod {name};\n"));
        let names = domain.op.iter().map(|(op, _)| camel(op));
        let names = names.chain(domain.handle.values().map(|handle| handle.name.clone()));
        exports.push_str(&format!("pub {}", import(name, names)));
        files
            .push((format!("crates/spot-api/src/generated/{name}.rs").into(), file(spec, domain)?));
    }
    // The module `operations` contains only docs: the table of operations.
    modules.push_str("pub mod operations;\n");
    let root = format!(
        "{}{}\n{modules}\n{exports}",
        preamble("*.toml"),
        file_doc(&[
            "Generated request types, one for each operation, and the methods that create the requests."
        ]),
    );
    files.push(("crates/spot-api/src/generated/mod.rs".into(), root));
    Ok(files)
}

fn file(spec: &Spec, domain: &Domain) -> Result<String, Error> {
    let mut body = String::new();
    body.push_str(&client_methods(domain));
    for (name, handle) in &domain.handle {
        body.push_str(&format!(
            "\n{}#[derive(Clone, Debug)]\npub struct {} {{\n    pub(crate) client: Client,\n}}\n",
            doc("", &[&handle.doc]),
            handle.name
        ));
        body.push_str(&methods_of(spec, name, &handle.name, None));
    }
    for (name, op) in domain.op.iter() {
        body.push('\n');
        body.push_str(&request(spec, name, op).map_err(|error| format!("op.{name}: {error}"))?);
        body.push_str(&methods_of(spec, name, &camel(name), Some(op)));
    }
    let mut out = preamble(&format!("{}.toml", domain.name));
    out.push_str(&file_doc(&[&domain.doc]));
    out.push('\n');
    out.push_str(&imports(spec, &body));
    out.push_str(&body);
    Ok(out)
}
