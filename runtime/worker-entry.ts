/** The entry of a worker thread whose actor is loaded by its module's address: the one that is used unless a system is given another. */
import { serveActors } from "./worker.ts";

serveActors();
