// Renders the OpenAPI document: operations by tag, with parameters, bodies and answers.

const methods = ["get", "post", "patch", "put", "delete"];

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const resolver = (document) => (thing) =>
  thing?.$ref ? thing.$ref.slice(2).split("/").reduce((at, key) => at[key], document) : thing;

// A short text for a schema: named schemas are expanded once, deeper ones appear by name.
function shape(schema, resolve, depth = 0) {
  if (!schema) return "any";
  if (schema.$ref && depth > 1) return schema.$ref.split("/").pop();
  const found = resolve(schema);
  if (found.enum) return found.enum.join(" | ");
  if (found.type === "array") return [shape(found.items, resolve, depth + 1)];
  if (found.properties) {
    return Object.fromEntries(Object.entries(found.properties).map(([key, value]) => [key, shape(value, resolve, depth + 1)]));
  }
  return [found.type ?? "any"].flat().join(" or ");
}

function text(schema, resolve) {
  const found = shape(schema, resolve);
  return typeof found === "string" ? found : JSON.stringify(found, null, 2);
}

function parameterTable(parameters, resolve) {
  if (parameters.length === 0) return null;
  const rows = parameters.map(resolve).map((parameter) =>
    element("tr", {},
      element("td", {}, element("code", {}, parameter.name), parameter.required ? " (required)" : ""),
      element("td", {}, parameter.in),
      element("td", {}, element("code", {}, text(parameter.schema, resolve))),
      element("td", {}, parameter.description ?? "")));
  const head = ["name", "in", "type", "meaning"].map((title) => element("th", { scope: "col" }, title));
  return element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
}

function contents(title, thing, resolve) {
  const parts = [element("h3", {}, title)];
  if (thing.description) parts.push(element("p", {}, thing.description));
  for (const [type, content] of Object.entries(thing.content ?? {})) {
    parts.push(element("p", {}, element("code", {}, type)));
    if (content.schema && Object.keys(content.schema).length > 0) parts.push(
      element("pre", { tabindex: "0" }, text(content.schema, resolve)));
  }
  return element("section", {}, ...parts);
}

function operationElement(path, method, operation, shared, resolve) {
  const inside = element("div", { class: "inside" },
    operation.description ? element("p", {}, operation.description) : null,
    parameterTable([...shared, ...(operation.parameters ?? [])], resolve),
    operation.requestBody ? contents("Body", operation.requestBody, resolve) : null,
    ...Object.entries(operation.responses).map(([status, answer]) =>
      contents(status === "default" ? "Otherwise" : status, resolve(answer), resolve)));
  const made = element("details", { id: operation.operationId },
    element("summary", {}, element("span", { class: "method" }, method.toUpperCase()), element("code", {}, path), ` ${operation.summary}`),
    inside);
  made.dataset.words = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
  return made;
}

function render(api) {
  const resolve = resolver(api);
  const sections = new Map(api.tags.map((tag) => [tag.name, element("section", {}, element("h2", {}, tag.name))]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of methods.filter((method) => item[method])) {
      sections.get(item[method].tags[0]).append(operationElement(path, method, item[method], item.parameters ?? [], resolve));
    }
  }
  document.getElementById("about").textContent = api.info.description;
  document.getElementById("operations").replaceChildren(...sections.values());
}

function filter(words) {
  for (const section of document.querySelectorAll("main > section")) {
    let any = false;
    for (const operation of section.querySelectorAll("details")) {
      operation.hidden = !operation.dataset.words.includes(words);
      any ||= !operation.hidden;
    }
    section.hidden = !any;
  }
}

try {
  const answer = await fetch("openapi/v1.json");
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  render(await answer.json());
  document.getElementById("operation-filter").addEventListener("input", (event) => filter(event.target.value.trim().toLowerCase()));
  if (location.hash) document.getElementById(location.hash.slice(1))?.setAttribute("open", "");
} catch (error) {
  document.getElementById("about").textContent = `The document could not be loaded: ${error.message}.`;
}
