/**
 * A tree as it is, which `System.inspect()` gives, as the text that Prometheus reads.
 *
 * @module
 */
export { type ActorView, prometheusText, type TreeView } from "./inspect.ts";
