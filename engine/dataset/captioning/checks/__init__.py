"""What is wrong with captions: one small file a subject, all of them on the shelf. No picture is opened."""
