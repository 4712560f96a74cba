"""What every entrance over HTTP needs: who asks, how much may come, and how no is said."""
