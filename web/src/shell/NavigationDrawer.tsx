import { Drawer, DrawerBody } from "@fluentui/react-components";
import { Navigation } from "./Navigation";

/** The navigation where the page is too narrow to show it beside the content. Mount it to open it. */
export default function NavigationDrawer({ onClose }: { onClose: () => void }) {
  return (
    <Drawer type="overlay" open onOpenChange={(_, { open }) => !open && onClose()}>
      <DrawerBody>
        <Navigation />
      </DrawerBody>
    </Drawer>
  );
}
