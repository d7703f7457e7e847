/**
 * A whole tree of actors in one thread and in virtual time, to test actors with: what happens next is picked by seed, and a seed replays.
 *
 * @module
 */
export { type LoggedLine, randomOf, type Simulation, type SimulationOptions, simulate } from "./simulator.ts";
