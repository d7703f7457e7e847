/** The script of the documentation's page: it opens what a link leads to and sends the requests of its forms. Allowed by its hash alone. */
export const tryScript = `
"use strict";
const linesMax = 2000;
for (const block of document.querySelectorAll(".try")) block.hidden = false;
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === "DETAILS") target.open = true;
  target?.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
document.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const output = form.querySelector("output");
  const headers = new Headers();
  const query = new URLSearchParams();
  let path = form.dataset.path;
  for (const { name, value, dataset } of form.querySelectorAll("input")) {
    if (value === "") continue;
    if (dataset.in === "path") path = path.replace("{" + name + "}", encodeURIComponent(value));
    else if (dataset.in === "header") headers.set(name, value);
    else query.append(name, value);
  }
  const token = document.getElementById("token").value.trim();
  const text = form.querySelector("textarea");
  const show = (said) => {
    const pre = document.createElement("pre");
    pre.textContent = said;
    output.replaceChildren(pre);
  };
  try {
    if (token !== "") headers.set("authorization", "Bearer " + token);
    if (text !== null) headers.set("content-type", text.dataset.type);
    const url = new URL(document.documentElement.dataset.root + path.slice(1) + (query.size > 0 ? "?" + query : ""), location.href.split("#")[0]);
    const answer = await fetch(url, { method: form.dataset.method, headers, ...(text === null ? {} : { body: text.value }) });
    const told = [...answer.headers].map(([name, value]) => name + ": " + value).join("\\n");
    const type = answer.headers.get("content-type") ?? "";
    if (type.startsWith("text/event-stream")) {
      await answer.body.cancel();
      show(answer.status + "\\n" + told + "\\n\\n(a stream that does not end)");
      return;
    }
    const body = await answer.text();
    const shown = /[/+]json/.test(type) && body !== "" ? JSON.stringify(JSON.parse(body), null, 2) : body;
    show(answer.status + "\\n" + told + "\\n\\n" + shown.split("\\n").slice(0, linesMax).join("\\n"));
  } catch (failure) {
    show(String(failure));
  }
});
`;
