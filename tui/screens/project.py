from tui.screens.room import Room
class ProjectRoom(Room):
    ROOM="project"
