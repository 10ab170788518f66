// What pages import: import { api, h, state } from "../shared/lib.js".

export * from "./api.js";
export * from "./dom.js";
export { endpointList, endpointsChanged, endpointText } from "./endpoint_picker.js";
export { exportCheckpoint, exportSamples } from "./export_dialog.js";
export * as fmt from "./format.js";
export * from "./job_status.js";
export { estimate, launch, priceText, stageList, start as launchNow } from "./launch_dialog.js";
export * from "./listeners.js";
export * from "./media.js";
export * from "./overlays.js";
export * from "./schema_form.js";
export * from "./shortcuts.js";
export * from "./theme.js";
export * from "./timing.js";
export * from "./url_state.js";
export * from "./widgets.js";
