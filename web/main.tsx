/** The page begins here. */
import { render } from "preact";
import { begin } from "./sync/start.ts";
import { App } from "./views/app.tsx";

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
void begin();
