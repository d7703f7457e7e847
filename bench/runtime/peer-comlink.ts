import { type MessagePort, parentPort } from "node:worker_threads";
import { expose } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import echo from "./peer-task.ts";

expose(echo, nodeEndpoint(parentPort as MessagePort));
