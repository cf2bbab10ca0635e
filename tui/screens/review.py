from tui.screens.room import Room
class ReviewRoom(Room):
    ROOM="review"
