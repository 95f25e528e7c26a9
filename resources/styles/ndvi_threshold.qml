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
    <paletteEntry value="0" color="#a97c50" alpha="255" label="Class 0: no vegetation"/>
    <paletteEntry value="1" color="#e2d49a" alpha="255" label="Class 1: sparse vegetation"/>
    <paletteEntry value="2" color="#a8cf6a" alpha="255" label="Class 2: moderate vegetation"/>
    <paletteEntry value="3" color="#3f9a45" alpha="255" label="Class 3: dense vegetation"/>
    <paletteEntry value="4" color="#00441b" alpha="255" label="Class 4: very dense vegetation"/>
   </colorPalette>
  </rasterrenderer>
 </pipe>
</qgis>
