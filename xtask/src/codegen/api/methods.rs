//! Generates the methods that create requests: methods of the client, of the handles and of some
//! requests.

use crate::{
    codegen::{
        api::params::{argument, implied, is_parsed, stored_from},
        camel, doc,
    },
    spec::{Domain, Op, Param, Spec},
    ty::Ty,
};

/// The methods of `Client` in this domain, which create handles and requests.
pub(super) fn client_methods(domain: &Domain) -> String {
    let mut methods = String::new();
    for (name, handle) in &domain.handle {
        methods.push_str(&doc("    ", &[&handle.doc]));
        methods.push_str(&format!(
            "    pub fn {name}(&self) -> {ty} {{\n        {ty} {{ client: self.clone() }}\n    }}\n\n",
            ty = handle.name
        ));
    }
    for (name, op) in domain.op.iter().filter(|(_, op)| op.on == "client") {
        methods.push_str(&method(name, op, "self.clone()", &[]));
    }
    if methods.is_empty() {
        methods
    } else {
        format!("\n{}impl Client {{\n{methods}}}\n", doc("", &[&domain.doc]))
    }
}

/// The methods that create requests, in the order of the spec. `handle` is a handle, or an
/// operation whose request has such methods.
pub(super) fn methods_of(spec: &Spec, handle: &str, ty: &str, parent: Option<&Op>) -> String {
    let mut methods = String::new();
    for (name, op) in spec.ops().filter(|(_, op)| op.on == handle) {
        let given: Vec<&str> =
            parent.map(|parent| parent.path.iter().map(Param::rust).collect()).unwrap_or_default();
        methods.push_str(&method(name, op, "self.client.clone()", &given));
    }
    if methods.is_empty() { methods } else { format!("\nimpl {ty} {{\n{methods}}}\n") }
}

/// A method that creates a request. Required parameters are arguments.
fn method(name: &str, op: &Op, client: &str, given: &[&str]) -> String {
    let mut arguments = String::new();
    let mut fields = format!("            client: {client},\n");
    for (param, required) in op.params() {
        let field = param.rust();
        if given.contains(&field) && op.path.iter().any(|path| path.rust() == field) {
            fields.push_str(&format!("            {field}: self.{field}.clone(),\n"));
        } else if required {
            arguments.push_str(&format!(", {field}: {}", argument(&param.ty)));
            match stored_from(&param.ty, field) {
                value if value == field => fields.push_str(&format!("            {field},\n")),
                value => fields.push_str(&format!("            {field}: {value},\n")),
            }
        } else {
            let empty = if matches!(param.ty, Ty::List(_)) && !is_parsed(&param.ty) {
                "Vec::new()"
            } else {
                "None"
            };
            fields.push_str(&format!("            {field}: {empty},\n"));
        }
    }
    if let Some(upload) = &op.upload {
        arguments.push_str(&format!(", {}: impl Into<Bytes>", upload.name));
        fields.push_str(&format!("            {name}: {name}.into(),\n", name = upload.name));
    }
    if !op.attributes.is_empty() {
        fields.push_str("            attributes: Attributes::new(),\n");
    }
    for (field, _) in implied(op) {
        fields.push_str(&format!("            {field}: None,\n"));
    }
    let ty = camel(name);
    let call = format!("`{}`. See [`{ty}`].", op.route());
    // rustdoc refuses an alias that is equal to the name of the method.
    let aliases = std::iter::once(&op.id).chain(&op.aliases).filter(|alias| **alias != op.r#as);
    let aliases: Vec<String> = aliases.map(|alias| format!("{alias:?}")).collect();
    let alias = match &*aliases {
        [] => String::new(),
        [alias] => format!("    #[doc(alias = {alias})]\n"),
        aliases => format!("    #[doc(alias({}))]\n", aliases.join(", ")),
    };
    format!(
        "{}{alias}    pub fn {}(&self{arguments}) -> {ty} {{\n        {ty} {{\n{fields}        }}\n    }}\n\n",
        doc("    ", &[&op.doc, &call]),
        op.r#as,
    )
}
