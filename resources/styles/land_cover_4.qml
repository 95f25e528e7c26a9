<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="paletted" band="1" alphaBand="-1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <colorPalette>
    <paletteEntry value="1" color="#2b83ba" alpha="255" label="Water"/>
    <paletteEntry value="2" color="#1a7837" alpha="255" label="High vegetation"/>
    <paletteEntry value="3" color="#a6d96a" alpha="255" label="Low vegetation"/>
    <paletteEntry value="4" color="#d8b365" alpha="255" label="Barren or urban"/>
   </colorPalette>
  </rasterrenderer>
 </pipe>
</qgis>
