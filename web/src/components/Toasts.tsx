import { Toaster } from "@fluentui/react-components";
import { TOASTER } from "./toast";

/** Where short messages appear. */
export default function Toasts() {
  return <Toaster toasterId={TOASTER} position="bottom-end" />;
}
